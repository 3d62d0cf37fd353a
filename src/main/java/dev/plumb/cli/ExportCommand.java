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

/** {@code plumb export}: a trained model for other programs. */
final class ExportCommand implements Command {
  /** What it can be written as. */
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
    return "writes a trained model as onnx, safetensors or npz";
  }

  @Override
  public String usage() {
    return "MODEL FILE [options]";
  }

  @Override
  public String details() {
    return """
        MODEL is a run folder or its model.safetensors. ONNX takes the table's own columns and gives class
        probabilities or numbers in the targets' units. safetensors has the names of PyTorch's nn.Sequential, npz the
        layers' arrays; both are of a network whose inputs are standardised already.
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
        ? arguments.parsed(Flags.FORMAT, "", word -> NamedEnum.parse(Format.class, "format", word)) : byEnding(file);
    new CommandFiles(arguments).readsModel(operands.get(0)).writes("FILE", file).check();
    TrainedModel model = ModelOperand.read(operands.get(0));
    switch (format) {
      case ONNX -> OnnxExport.write(file, model);
      case SAFETENSORS -> ModelFile.write(file, model);
      case NPZ -> NpzFile.write(file, model);
    }
    return ExitCode.DONE;
  }

  private static Format byEnding(Path file) {
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
