"""What in a study's data cannot be right, or states the answer: findings with their evidence."""
