"""Files that TensorBoard reads, written without a backend."""

import os
import time
import uuid


class EventFile:
    """One event file, written record by record.

    It needs TensorBoard's own package alone. The file is opened for each
    write and closed again, so that nothing is lost when a training stops,
    and a callback that holds one can be copied.

    Args:
        log_dir: Folder that TensorBoard reads; it is made if missing.
    """

    def __init__(self, log_dir):
        self._folder = os.fspath(log_dir)
        # TensorBoard knows its files by this name.
        name = f"events.out.tfevents.{int(time.time())}.{uuid.uuid4().hex}"
        self.path = os.path.join(self._folder, f"{name}.keras_regopt")

    def write_scalars(self, step, values):
        """Adds numbers at one step; `None` and NaN are left out.

        Args:
            step: The step or epoch, an integer.
            values: A dict of tags and numbers.
        """
        self.write([(step, scalars(values))])

    def write(self, steps):
        """Adds records.

        Args:
            steps: Pairs of a step, an integer, and a list of
                `Summary.Value` objects.
        """
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        os.makedirs(self._folder, exist_ok=True)
        with open(self.path, "ab") as file:
            writer = RecordWriter(file)
            if file.tell() == 0:
                version = Event(
                    wall_time=time.time(), file_version="brain.Event:2"
                )
                writer.write(version.SerializeToString())
            for step, values in steps:
                event = Event(
                    wall_time=time.time(),
                    step=step,
                    summary=Summary(value=values),
                )
                writer.write(event.SerializeToString())


def scalars(values):
    """Numbers as `Summary.Value` objects; `None` and NaN are left out.

    Args:
        values: A dict of tags and numbers.

    Returns:
        A list.
    """
    from tensorboard.compat.proto.summary_pb2 import Summary

    return [
        Summary.Value(tag=tag, simple_value=value)
        for tag, value in values.items()
        if value is not None and value == value
    ]
