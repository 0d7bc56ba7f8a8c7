"""Documents in: scan -> plan -> apply, under one lock, with a history of jobs."""
