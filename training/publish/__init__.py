"""A run as a version of the registry, and a challenger against the champion."""
