"""What a study asks: timelines, cutoffs, who is eligible, labels."""
