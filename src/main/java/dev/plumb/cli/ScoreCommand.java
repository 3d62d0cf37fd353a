package dev.plumb.cli;

import dev.plumb.Device;
import dev.plumb.data.TextFormat;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Precision;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code plumb score}: adds the predictions of a trained model to a folder of Parquet or CSV files, on a cluster. */
final class ScoreCommand implements Command {
  private static final Option ON = Flags.meaning(Flags.ON, "URL", "Score on this Apache Spark cluster (required):"
      + " spark://HOST:PORT, yarn, k8s://HOST:PORT, or, on this machine, local-cluster[EXECUTORS,CORES,MB].");
  private static final Option DEVICE = Flags.meaning(Flags.DEVICE, "DEVICE", "Device of each task: auto, cuda, cpu or reference;"
      + " auto is cuda if Spark's executors have GPUs, otherwise cpu (default: auto).");
  private static final Option FORMAT =
      Flags.meaning(Flags.FORMAT, "FORMAT", "Format of IN and OUT: parquet or csv (default: from the content of IN).");

  private final DeviceChoice devices;

  ScoreCommand(DeviceChoice devices) {
    this.devices = devices;
  }

  @Override
  public String name() {
    return "score";
  }

  @Override
  public String summary() {
    return "Add predictions to a Parquet or CSV folder, on Apache Spark";
  }

  @Override
  public String usage() {
    return "MODEL IN OUT --on URL [options]";
  }

  @Override
  public String details() {
    return """
        MODEL is a run folder or its model.safetensors, on this machine. IN is a file or a folder of any
        size that all executors can read, a path or a URL such as hdfs://...; it has the feature columns of
        the training data in any order. OUT is a folder to create, in the same format.

        OUT has all columns of IN and those of plumb predict: the predicted class and the probability of
        every class, or the predicted numbers. If IN has a column of such a name, the prediction is in
        predicted_NAME. Rows whose outputs are not finite have empty predictions and are counted. The rows
        of each file keep their order. A run that fails or is killed leaves no OUT.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb score runs/iris-1 hdfs://namenode/irises hdfs://namenode/scored --on yarn
        plumb score runs/iris-1 irises.parquet scored --on local-cluster[2,1,1024]
        """;
  }

  @Override
  public Options options() {
    return Flags.options(ON, DEVICE, Flags.precision(ScoringInput.DEFAULT_PRECISION), FORMAT, Flags.HEADER, Flags.DELIMITER,
        Flags.NA_VALUES);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    Path model = arguments.operandPaths("MODEL", "IN", "OUT").get(0);
    if (!arguments.has(Flags.ON)) {
      throw new InvalidInputException("--on is missing; name a Spark cluster, or use plumb predict for a file on this machine");
    }
    Cluster cluster = devices.cluster(arguments);
    Device device = DeviceChoice.clusterDevice(arguments.text(Flags.DEVICE).orElse("auto"), arguments);
    Optional<Precision> precision = ScoringInput.precision(arguments);
    precision.ifPresent(chosen -> DeviceChoice.requirePrecision(device.kind() == Device.Kind.REFERENCE, chosen));
    Optional<ScoringRequest.Format> format = arguments.has(Flags.FORMAT)
        ? Optional.of(arguments.parsed(Flags.FORMAT, "", ScoreCommand::parseFormat)) : Optional.empty();
    // As they are: Path would take hdfs://host for hdfs:/host.
    List<String> operands = arguments.operands();
    ScoringRequest request = new ScoringRequest(ModelOperand.read(model), operands.get(1), operands.get(2), format,
        DataOptions.format(arguments, TextFormat.DEFAULT), device, precision, DeviceChoice.onNote(arguments, err));
    ScoringResult result = cluster.score(arguments.text(Flags.ON).orElseThrow(), request);
    if (!arguments.has(Flags.QUIET)) {
      UnknownCategories.note(result.unknown(), "", err);
      MissingNote.other(result.replaced(), "", err);
    }
    PredictCommand.noteNotFinite("score", result.notFinite(), result.firstNotFinite(), err);
    out.println("rows: " + result.rows());
    return ExitCode.DONE;
  }

  private static ScoringRequest.Format parseFormat(String word) {
    return switch (word) {
      case "parquet" -> ScoringRequest.Format.PARQUET;
      case "csv" -> ScoringRequest.Format.CSV;
      default -> throw new InvalidInputException("must be parquet or csv, not \"" + word + "\"");
    };
  }
}
