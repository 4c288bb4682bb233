"""Diagnoses as files that TensorBoard reads."""

import os
import time
import uuid

from keras_regopt.diagnosis.wording import text

_PREFIX = "diagnosis/"


class EventLog:
    """One event file, written record by record.

    It needs TensorBoard's own package alone. The file is opened for each
    write and closed again, so that nothing is lost when a training stops,
    and a callback that holds a log can be copied.

    Args:
        log_dir: Folder that TensorBoard reads; it is made if missing.
    """

    def __init__(self, log_dir):
        self._folder = os.fspath(log_dir)
        # TensorBoard knows its files by this name.
        name = f"events.out.tfevents.{int(time.time())}.{uuid.uuid4().hex}"
        self.path = os.path.join(self._folder, f"{name}.keras_regopt")

    def write_epoch(self, diagnosis):
        """Adds the figures of a live diagnosis at its last epoch.

        Args:
            diagnosis: A `Diagnosis`.
        """
        d = diagnosis
        values = {
            "training_error": d.train_error,
            "dev_error": d.dev_error,
            "avoidable_bias": d.avoidable_bias,
            "variance": d.variance,
        }
        self._write([self._scalars(int(d.curves.epochs[-1]), values)])

    def write_curves(self, diagnosis):
        """Adds the error curves.

        Args:
            diagnosis: A `Diagnosis`.
        """
        curves = diagnosis.curves
        rows = zip(curves.epochs, curves.train, curves.dev, strict=True)
        self._write(
            self._scalars(
                int(epoch), {"training_error": train, "dev_error": dev}
            )
            for epoch, train, dev in rows
        )

    def write_summary(self, diagnosis):
        """Adds text and figure.

        Args:
            diagnosis: A `Diagnosis`.

        Raises:
            ImportError: If Matplotlib is not installed.
        """
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING
        from tensorboard.plugins.text.metadata import create_summary_metadata

        from keras_regopt.diagnosis.figures import to_png

        figure = diagnosis.figure()
        width, height = figure.canvas.get_width_height()
        image = Summary.Image(
            width=width,
            height=height,
            colorspace=4,
            encoded_image_string=to_png(figure),
        )
        # TensorBoard renders Markdown; four spaces keep the columns.
        lines = "".join(f"    {line}\n" for line in text(diagnosis).split("\n"))
        verdict = Summary.Value(
            tag=f"{_PREFIX}verdict",
            metadata=create_summary_metadata("", "Verdict, reasons, steps"),
            tensor=TensorProto(
                dtype=DT_STRING,
                string_val=[lines.encode()],
                tensor_shape=TensorShapeProto(),
            ),
        )
        curves = Summary.Value(tag=f"{_PREFIX}learning_curves", image=image)
        last = int(diagnosis.curves.epochs[-1])
        self._write([(last, [verdict, curves])])

    @staticmethod
    def _scalars(epoch, values):
        from tensorboard.compat.proto.summary_pb2 import Summary

        return epoch, [
            Summary.Value(tag=f"{_PREFIX}{name}", simple_value=value)
            for name, value in values.items()
            if value is not None and value == value
        ]

    def _write(self, steps):
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
