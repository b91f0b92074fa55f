"""Adjustments: what closed statements should have said, by what is known by now, minus what was booked."""
