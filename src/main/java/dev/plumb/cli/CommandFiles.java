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
 * The files that a command reads and writes, checked before it begins. An output must be able to be written, and it must be none of
 * the inputs, no other output, and no file that a training keeps in its run folder, by whatever path or link it is named. Pipes and
 * devices are added to, so they may be named as often as one likes.
 */
final class CommandFiles {
  /** Where standard input has a name, it may turn out to be a file. */
  private static final Path STANDARD_INPUT = Path.of("/dev/stdin");

  /**
   * A file of the command.
   *
   * @param name what messages call it
   */
  private record Named(String name, Path file) {}

  private final Arguments arguments;
  private final List<Named> inputs = new ArrayList<>();
  private final List<Named> outputs = new ArrayList<>();

  CommandFiles(Arguments arguments) {
    this.arguments = arguments;
  }

  /** Takes note of an input: a file, or - for standard input. */
  CommandFiles reads(String name, Path file) {
    inputs.add(new Named(name, file.equals(DataOptions.STREAM) ? STANDARD_INPUT : file));
    return this;
  }

  /** Takes note of a table, with the labels next to it. */
  CommandFiles readsData(Path data) {
    reads("DATA", data);
    Optional<Path> labels = arguments.path(Flags.LABELS);
    labels.ifPresent(file -> reads("the --" + Flags.LABELS.getLongOpt() + " file", file));
    if (labels.isEmpty()) {
      TableReader.labelsNextTo(data).ifPresent(file -> reads("the labels of DATA", file));
    }
    return this;
  }

  /** Takes note of the MODEL: a run folder or a file. */
  CommandFiles readsModel(Path model) {
    if (!Files.isDirectory(model)) {
      return reads("MODEL", model).readsRun(model.toAbsolutePath().getParent());
    }
    return reads("MODEL", model.resolve(RunFolder.MODEL)).readsRun(model);
  }

  private CommandFiles readsRun(Path folder) {
    RunFolder.files(folder).forEach(file -> reads(ofRun(file), file));
    return this;
  }

  private static String ofRun(Path file) {
    return file.getFileName() + " in the run folder " + file.getParent();
  }

  /** Takes note of the files of options, as far as they are given. */
  CommandFiles writes(Option... options) {
    for (Option option : options) {
      arguments.path(option).filter(path -> !path.equals(DataOptions.STREAM) || !option.equals(Flags.OUT))
          .ifPresent(path -> writes("--" + option.getLongOpt(), path));
    }
    return this;
  }

  CommandFiles writes(String name, Path file) {
    outputs.add(new Named(name, file));
    return this;
  }

  /** @throws InvalidInputException when an output cannot be written, or is one of the other files */
  void check() {
    outputs.forEach(output -> AtomicFile.requireWritable(output.file()));
    List<Named> others = new ArrayList<>(inputs);
    for (Named output : outputs) {
      if (AtomicFile.isReplaced(output.file())) {
        for (Named other : others) {
          if (AtomicFile.isSameTarget(output.file(), other.file())) {
            throw wouldOverwrite(output, other.name());
          }
        }
        if (RunFolder.owns(output.file())) {
          throw wouldOverwrite(output, ofRun(AtomicFile.canonical(output.file())));
        }
      }
      others.add(new Named("the " + output.name() + " file", output.file()));
    }
  }

  /** Returns whether a path is that of an output. */
  boolean isOutput(Path path) {
    return outputs.stream().anyMatch(output -> AtomicFile.isSameTarget(output.file(), path));
  }

  private static InvalidInputException wouldOverwrite(Named output, String other) {
    return new InvalidInputException(output.name() + " " + output.file() + " would overwrite " + other + "; choose another file");
  }
}
