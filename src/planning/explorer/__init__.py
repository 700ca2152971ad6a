"""explorer.html: every store's forecast for planners, and what another plan makes of it, worked out in the page."""
