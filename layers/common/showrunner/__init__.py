"""What two or more Showrunner functions share."""

__version__ = "0.1.0"
