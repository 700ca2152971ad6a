"""Makes the docs' pictures, recordings and sample outputs from a real run, so that they stay true."""
