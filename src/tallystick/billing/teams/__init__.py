"""Teams, who are billed, and their subscriptions, which say to what plan and since when."""
