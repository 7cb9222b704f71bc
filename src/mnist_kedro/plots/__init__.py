"""How results look: functions from plain data to Matplotlib figures, in one style."""
