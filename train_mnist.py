"""Train and evaluate the networks on MNIST, and write the report, like ``kedro run``.

Options are passed on to ``kedro run``: ``python train_mnist.py --params training.epochs=2``.
"""

import os
import sys
from pathlib import Path

from kedro.framework.cli.cli import main

if __name__ == "__main__":
    os.chdir(Path(__file__).parent)  # run in the project, wherever the script is started
    sys.argv[1:1] = ["run"]
    main()
