"""Whether answers are good, and whether a change made them better: question sets, metrics, runs, comparisons."""
