"""Who signed a registered model, what it was made of, and its way from one workspace to another."""
