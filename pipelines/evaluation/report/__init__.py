"""Reports of evaluations: one HTML file each, which asks nothing of any network."""

from pipelines.evaluation.report.comparison_page import write_comparison
from pipelines.evaluation.report.run_page import write_report
from pipelines.evaluation.report.sweep_page import write_sweep

__all__ = ["write_comparison", "write_report", "write_sweep"]
