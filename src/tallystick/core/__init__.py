"""What every other package stands on: errors, money, time and ids. Imports nothing of ours."""
