"""What two or more Showrunner functions share."""
