"""CTC acoustic models: any `AutoModelForCTC` (wav2vec2, HuBERT, MMS …), on torch or onnxruntime.

`alphabet` maps text to the columns of the network, `compiler` turns words into sequences of them,
`model` is the acoustic model behind the search, and `network` runs the network on torch or,
exported, on onnxruntime.
"""

from lyricsyncd.align.emissions.ctc.alphabet import Alphabet
from lyricsyncd.align.emissions.ctc.model import CtcModel, Network
from lyricsyncd.align.emissions.ctc.network import export, open_ctc, open_onnx

__all__ = ["Alphabet", "CtcModel", "Network", "export", "open_ctc", "open_onnx"]
