package dev.plumb.cli;

import dev.plumb.data.TableReader;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.AtomicFile;
import dev.plumb.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Option;

/**
 * The files that a command reads and writes, checked before it starts. Every output must be writable, and it must not be an
 * input, another output or a file in a run folder, even under another path or link. Pipes and devices may be named several times.
 */
final class CommandFiles {
  /** The path of standard input, which may be redirected from a file. */
  private static final Path STANDARD_INPUT = Path.of("/dev/stdin");

  /**
   * An input or output.
   *
   * @param name the file's name in error messages
   */
  private record NamedFile(String name, Path file) {}

  private final Arguments arguments;
  private final List<NamedFile> inputs = new ArrayList<>();
  private final List<NamedFile> outputs = new ArrayList<>();

  CommandFiles(Arguments arguments) {
    this.arguments = arguments;
  }

  /** Adds an input: a file, or - for standard input. */
  CommandFiles reads(String name, Path file) {
    inputs.add(new NamedFile(name, file.equals(DataOptions.STREAM) ? STANDARD_INPUT : file));
    return this;
  }

  /** Adds a table and its labels file, if it has one. */
  CommandFiles readsData(Path data) {
    reads("DATA", data);
    Optional<Path> labels = arguments.path(Flags.LABELS);
    labels.ifPresent(file -> reads("the --" + Flags.LABELS.getLongOpt() + " file", file));
    if (labels.isEmpty()) {
      TableReader.labelsNextTo(data).ifPresent(file -> reads("the labels of DATA", file));
    }
    return this;
  }

  /** Adds the model: a run folder or a file. */
  CommandFiles readsModel(Path model) {
    if (!Files.isDirectory(model)) {
      return reads("MODEL", model).readsRun(model.toAbsolutePath().getParent());
    }
    return reads("MODEL", model.resolve(RunFolder.MODEL)).readsRun(model);
  }

  private CommandFiles readsRun(Path folder) {
    RunFolder.files(folder).forEach(file -> reads(runFileName(file), file));
    return this;
  }

  private static String runFileName(Path file) {
    return file.getFileName() + " in the run folder " + file.getParent();
  }

  /** Adds the outputs that the options name. */
  CommandFiles writes(Option... options) {
    for (Option option : options) {
      arguments.path(option).filter(path -> !path.equals(DataOptions.STREAM) || !option.equals(Flags.OUT))
          .ifPresent(path -> writes("--" + option.getLongOpt(), path));
    }
    return this;
  }

  CommandFiles writes(String name, Path file) {
    outputs.add(new NamedFile(name, file));
    return this;
  }

  /**
   * Checks all outputs.
   *
   * @throws InvalidInputException if an output cannot be written, or is one of the other files
   */
  void check() {
    outputs.forEach(output -> AtomicFile.requireWritable(output.file()));
    List<NamedFile> others = new ArrayList<>(inputs);
    for (NamedFile output : outputs) {
      if (AtomicFile.isReplaced(output.file())) {
        for (NamedFile other : others) {
          if (AtomicFile.isSameTarget(output.file(), other.file())) {
            throw wouldOverwrite(output, other.name());
          }
        }
        if (RunFolder.owns(output.file())) {
          throw wouldOverwrite(output, runFileName(AtomicFile.canonical(output.file())));
        }
      }
      others.add(new NamedFile("the " + output.name() + " file", output.file()));
    }
  }

  /** Returns whether a path names one of the outputs. */
  boolean isOutput(Path path) {
    return outputs.stream().anyMatch(output -> AtomicFile.isSameTarget(output.file(), path));
  }

  private static InvalidInputException wouldOverwrite(NamedFile output, String other) {
    return new InvalidInputException(output.name() + " " + output.file() + " would overwrite " + other + "; choose another file");
  }
}
