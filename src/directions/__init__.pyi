# For editors and type checkers, from which `__init__.py` hides its two functions until they are used.
from directions.api import analyse as analyse
from directions.interventions.layer_listing import show_layers as show_layers

__all__ = ["analyse", "show_layers"]
__version__: str
