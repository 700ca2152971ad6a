"""What a run takes before it is submitted: minutes, money and carbon, from timings, sizes and a table of prices."""
