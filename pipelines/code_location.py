"""What workspace.yaml names: the definitions with the settings of this environment."""

from pipelines.definitions import build_definitions
from resources.settings import Settings

defs = build_definitions(Settings())
