"""Diagnoses as files that TensorBoard reads."""

from keras_regopt._event_file import EventFile, scalars
from keras_regopt.diagnosis._wording import text

_PREFIX = "diagnosis/"


class EventLog(EventFile):
    """One event file of diagnoses; see `EventFile`."""

    def write_epoch(self, diagnosis):
        """Adds the values of a live diagnosis at its last epoch."""
        d = diagnosis
        values = {
            "training_error": d.train_error,
            "dev_error": d.dev_error,
            "avoidable_bias": d.avoidable_bias,
            "variance": d.variance,
        }
        self.write([(int(d.curves.epochs[-1]), _scalars(values))])

    def write_curves(self, diagnosis):
        """Adds the error curves of a diagnosis."""
        curves = diagnosis.curves
        rows = zip(curves.epochs, curves.train, curves.dev, strict=True)
        self.write(
            (
                int(epoch),
                _scalars({"training_error": train, "dev_error": dev}),
            )
            for epoch, train, dev in rows
        )

    def write_summary(self, diagnosis):
        """Adds the text and the figure of a diagnosis."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING
        from tensorboard.plugins.text.metadata import create_summary_metadata

        from keras_regopt.diagnosis._figures import to_png

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
        self.write([(last, [verdict, curves])])


def _scalars(values):
    return scalars({f"{_PREFIX}{k}": v for k, v in values.items()})
