package dev.plumb.cli;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.store.ModelFile;
import dev.plumb.store.NpzFile;
import dev.plumb.store.OnnxExport;
import dev.plumb.store.TrainedModel;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code plumb export}: writes a trained model for other programs. */
final class ExportCommand implements Command {
  /** A file format of exported models. */
  private enum Format implements NamedEnum {
    ONNX,
    SAFETENSORS,
    NPZ
  }

  @Override
  public String name() {
    return "export";
  }

  @Override
  public String summary() {
    return "Export a trained model as ONNX, safetensors or NPZ";
  }

  @Override
  public String usage() {
    return "MODEL FILE [options]";
  }

  @Override
  public String details() {
    return """
        MODEL is a run folder or its model.safetensors.

        An ONNX file takes the columns of the table and returns class probabilities, or numbers in the units
        of the targets. safetensors (with the names of PyTorch's nn.Sequential) and NPZ (one array per
        weight matrix and bias) contain only the network, which expects encoded and standardized inputs.
        """;
  }

  @Override
  public String examples() {
    return """
        plumb export runs/iris-1 iris.onnx
        plumb export runs/iris-1 weights.bin --format safetensors
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.FORMAT);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    List<Path> operands = arguments.operandPaths("MODEL", "FILE");
    Path file = operands.get(1);
    Format format = arguments.has(Flags.FORMAT)
        ? arguments.parsed(Flags.FORMAT, "", word -> NamedEnum.parse(Format.class, "format", word)) : fromExtension(file);
    new CommandFiles(arguments).readsModel(operands.get(0)).writes("FILE", file).check();
    TrainedModel model = ModelOperand.read(operands.get(0));
    switch (format) {
      case ONNX -> OnnxExport.write(file, model);
      case SAFETENSORS -> ModelFile.write(file, model);
      case NPZ -> NpzFile.write(file, model);
    }
    return ExitCode.DONE;
  }

  private static Format fromExtension(Path file) {
    String name = file.toString();
    for (Format format : Format.values()) {
      if (name.endsWith("." + format.key())) {
        return format;
      }
    }
    throw new InvalidInputException(
        file + ": unknown file extension; use .onnx, .safetensors or .npz, or choose a --format");
  }
}
