"""The batch forecast for planners: the step, its plan, and the page that it writes."""
