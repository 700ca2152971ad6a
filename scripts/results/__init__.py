"""docs/results.md, made anew: every candidate and baseline on several sales sets, and what each part adds."""
