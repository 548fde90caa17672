"""What an item costs in fluidimage's ExecutorAsync that passes three works which do nothing.

Prints the seconds an item takes. Run by `run`, beside the same topology on the other executors.
"""

import sys
import tempfile
import time

from fluiddyn.util.paramcontainer import ParamContainer
from fluidimage.executors.exec_async import ExecutorAsync
from fluidimage.topologies.base import TopologyBase


class Empty(TopologyBase):
    def __init__(self, count, folder):
        params = ParamContainer(tag="params")
        super().__init__(params=params, path_dir_src=folder, path_dir_result=folder, logging_level=None)
        self.count = count
        queues = [self.add_queue(name) for name in ("a", "b", "c")]
        self.add_work("fill", func_or_cls=self.fill, output_queue=queues[0], kind="one shot")
        for name, source, target in zip(("one", "two", "three"), queues, [*queues[1:], None]):
            self.add_work(name, func_or_cls=lambda n: n, input_queue=source, output_queue=target)

    def fill(self, input_queue, output_queue):
        for n in range(self.count):
            output_queue[str(n)] = n


def main():
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        topology = Empty(count, folder)
        executor = ExecutorAsync(topology, folder, nb_items_queue_max=16, logging_level=None)
        start = time.perf_counter()
        executor.compute()
        elapsed = time.perf_counter() - start
    print(f"{elapsed / count:.6f}")


if __name__ == "__main__":
    main()
