"""From a run to a version in the registry; a challenger against the champion."""
