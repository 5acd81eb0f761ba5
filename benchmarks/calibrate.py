"""Draw how well the confidences of an acoustic model hold on songs that they were not fitted to.

    python -m benchmarks.calibrate DIR --plot FILE.svg [--aligner MODEL] [--stems CACHE] [--jobs N]

The fit is that of ``lyricsyncd models calibrate`` (`lyricsyncd.judging.fitting`), which prints the
weights and can write them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks import plot
from lyricsyncd.judging import fitting
from lyricsyncd.judging.references import read_all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plot", type=Path, required=True, metavar="FILE.svg")
    parser.add_argument("--aligner", default="sphinx", help="sphinx, a folder or an .onnx file")
    parser.add_argument("--stems", type=Path, help="keep stems here between runs")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    songs = read_all(options.folder, options.stems)
    opener = fitting.Opener(options.aligner)
    rows = fitting.cross_validated(
        [case for each in fitting.cases(songs, opener, options.jobs) for case in each]
    )
    print(fitting.report(rows))
    right = [row for row in rows if "wrong" not in row.case.way]
    predicted = np.concatenate([row.confidence for row in right]).tolist()
    true = np.concatenate([row.case.in_place for row in right]).tolist()
    drawn = plot.reliability(predicted, true, "Confidence of words")
    options.plot.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
