"""Ask the endpoint for one forecast and say why it is what it is."""
