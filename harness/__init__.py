"""deid-bench: how well does a face-swap tool hide a person, and what is left of the expression?"""

import os

__version__ = "0.1.0"

# ONNX Runtime's wheels send telemetry from the moment they are imported, unless this is set before;
# every process that can import it through this project passes here first (decision 29).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
