"""What a report is made from: frames as they are handed over, and what is measured in them."""
