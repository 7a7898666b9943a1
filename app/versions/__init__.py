"""Which versions are in service: the champions as the registry names them, and others once asked for."""

from app.models.champions import Champion
from app.models.models import Models
from app.models.served import Served

__all__ = ["Champion", "Models", "Served"]
