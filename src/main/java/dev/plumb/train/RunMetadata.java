package dev.plumb.train;

import dev.plumb.backend.Numerics;
import dev.plumb.model.InvalidInputException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The metadata of a run in its checkpoint.
 *
 * @param plumb the version of Plumb that started the run
 * @param command the arguments after {@code plumb train}
 * @param folder the folder to which relative paths of the command refer
 * @param device the kind of device, in the form that --device accepts
 * @param config the configuration, with all column names and the task resolved
 * @param data the files that were read
 * @param numerics the numerics of the training so far, in order; empty if the version that started the run recorded none
 * @param estimate the estimate by the cross-validation that chose the configuration, if there was one
 */
public record RunMetadata(String plumb, List<String> command, String folder, String device, TrainConfig config, List<DataFile> data,
    List<Numerics> numerics, Optional<FoldEstimate> estimate) {
  private static final String SEPARATOR = "\n";
  private static final String DATA = "data.";
  private static final String NUMERICS = "numerics.";
  private static final String ESTIMATE = "estimate";

  public RunMetadata {
    command = List.copyOf(command);
    data = List.copyOf(data);
    numerics = List.copyOf(numerics);
  }

  /** Returns the entries for a checkpoint. */
  SortedMap<String, String> texts() {
    SortedMap<String, String> texts = new TreeMap<>();
    texts.put("plumb", plumb);
    texts.put("words", Integer.toString(command.size()));
    for (int i = 0; i < command.size(); i++) {
      texts.put("word." + i, command.get(i));
    }
    texts.put("folder", folder);
    texts.put("device", device);
    texts.put("config", TrainConfigJson.text(config));
    for (DataFile file : data) {
      texts.put(DATA + file.role(), file.sha256() + SEPARATOR + file.path());
    }
    for (int i = 0; i < numerics.size(); i++) {
      texts.put(NUMERICS + i, numerics.get(i).text());
    }
    estimate.ifPresent(of -> texts.put(ESTIMATE, of.json()));
    return texts;
  }

  RunMetadata withNumerics(List<Numerics> other) {
    return new RunMetadata(plumb, command, folder, device, config, data, other, estimate);
  }

  /**
   * Reads the metadata of a checkpoint.
   *
   * @throws InvalidInputException when an entry is missing or invalid
   */
  public static RunMetadata of(Checkpoint checkpoint) {
    SortedMap<String, String> texts = checkpoint.run();
    List<String> command = new ArrayList<>();
    int words = count(texts, "words");
    for (int i = 0; i < words; i++) {
      command.add(text(texts, "word." + i));
    }
    List<DataFile> data = new ArrayList<>();
    texts.tailMap(DATA).forEach((key, text) -> {
      if (key.startsWith(DATA)) {
        String[] parts = text.split(SEPARATOR, 2);
        if (parts.length < 2) {
          throw new InvalidInputException("the checkpoint lacks the path of " + key + ", so the run cannot be resumed");
        }
        data.add(new DataFile(key.substring(DATA.length()), parts[1], parts[0]));
      }
    });
    return new RunMetadata(text(texts, "plumb"), command, folder(text(texts, "folder")), text(texts, "device"),
        TrainConfigJson.parse(text(texts, "config")), data, numerics(texts),
        Optional.ofNullable(texts.get(ESTIMATE)).map(FoldEstimate::parse));
  }

  private static List<Numerics> numerics(SortedMap<String, String> texts) {
    List<Numerics> numerics = new ArrayList<>();
    while (texts.containsKey(NUMERICS + numerics.size())) {
      numerics.add(Numerics.parse(texts.get(NUMERICS + numerics.size())));
    }
    return numerics;
  }

  private static int count(SortedMap<String, String> texts, String key) {
    String text = text(texts, key);
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new InvalidInputException("the checkpoint's entry " + key + " must be an integer, not \"" + text
          + "\", so the run cannot be resumed", e);
    }
  }

  private static String folder(String word) {
    try {
      return Path.of(word).toString();
    } catch (InvalidPathException e) {
      throw new InvalidInputException("the checkpoint's entry folder is \"" + word + "\", which is not a valid path here", e);
    }
  }

  private static String text(SortedMap<String, String> texts, String key) {
    String text = texts.get(key);
    if (text == null) {
      throw new InvalidInputException("the checkpoint lacks the entry " + key + ", so the run cannot be resumed");
    }
    return text;
  }
}
