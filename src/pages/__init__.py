"""What every page shares: its shell, style, chart library, and the way data come into it."""
