package dev.plumb.store;

import dev.plumb.data.FeatureColumn;
import dev.plumb.data.NpyFormat;
import dev.plumb.data.TargetEncoding;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Normalization;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * NPZ export: a trained model as a ZIP archive with one NPY file per array, which {@code numpy.load} reads without pickle. Layer
 * l is {@code "2l.weight"} [out, in] and {@code "2l.bias"} [out], as in PyTorch's nn.Sequential; with a normalization or residual
 * connections, the arrays have the names of the tensors of a {@link ModelFile}. The inputs are
 * {@code (x - input_mean) / input_scale}, where x are the columns in the order of {@code input_names}; an input with a name such
 * as {@code column=category} is 1 for that category and otherwise 0. The outputs belong to {@code class_names}, or give
 * {@code target_names} after multiplication by {@code target_scale} and addition of {@code target_mean}. {@code activation},
 * {@code normalization} (absent for none), {@code residual} (absent for false), {@code loss} and {@code manifest} (JSON) are single
 * strings.
 */
public final class NpzFile {
  /** Time of every entry, so that equal models give equal bytes; a month after the ZIP epoch, which depends on the time zone. */
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 2, 1, 0, 0);
  private static final Charset UTF_32LE = Charset.forName("UTF-32LE");

  private final ZipOutputStream zip;

  private NpzFile(ZipOutputStream zip) {
    this.zip = zip;
  }

  /**
   * Writes a model atomically.
   *
   * @param file to write
   * @param model to export
   * @throws dev.plumb.model.InvalidInputException when it cannot be written
   */
  public static void write(Path file, TrainedModel model) {
    AtomicFile.write(file, out -> write(out, model));
  }

  /**
   * Writes a model to a stream and leaves it open.
   *
   * @param out stream
   * @param model to export
   * @throws IOException when writing fails
   */
  public static void write(OutputStream out, TrainedModel model) throws IOException {
    ZipOutputStream zip = new ZipOutputStream(out);
    // Weights hardly compress.
    zip.setLevel(Deflater.NO_COMPRESSION);
    NpzFile file = new NpzFile(zip);
    for (Tensor.Reals tensor : ModelFile.tensors(model)) {
      file.reals(tensor);
    }
    file.inputs(model.encoding().features());
    file.target(model.encoding().target());
    file.text("activation", model.network().activation().key());
    if (model.network().normalization() != Normalization.NONE) {
      file.text("normalization", model.network().normalization().key());
    }
    if (model.network().residual()) {
      file.text("residual", "true");
    }
    file.text("loss", model.loss().key());
    file.text("manifest", manifest(model));
    zip.finish();
  }

  private void inputs(List<FeatureColumn> features) throws IOException {
    List<String> names = new ArrayList<>();
    List<Double> mean = new ArrayList<>();
    List<Double> scale = new ArrayList<>();
    for (FeatureColumn feature : features) {
      if (feature instanceof FeatureColumn.Numeric numeric) {
        names.add(numeric.name());
        mean.add(numeric.mean());
        scale.add(numeric.scale());
      } else if (feature instanceof FeatureColumn.Categorical categorical) {
        for (String category : categorical.categories()) {
          names.add(categorical.name() + "=" + category);
          mean.add(0.0);
          scale.add(1.0);
        }
      }
    }
    texts("input_names", names);
    reals("input_mean", mean.stream().mapToDouble(Double::doubleValue).toArray());
    reals("input_scale", scale.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private void target(TargetEncoding target) throws IOException {
    if (target instanceof TargetEncoding.Classes classes) {
      texts("class_names", classes.classNames());
    } else if (target instanceof TargetEncoding.Numbers numbers) {
      texts("target_names", numbers.names());
      reals("target_mean", numbers.mean());
      reals("target_scale", numbers.scale());
    }
  }

  private static String manifest(TrainedModel model) throws IOException {
    byte[] utf8 = JsonOutput.compact(json -> {
      json.writeStartObject();
      for (var entry : model.manifest().entrySet()) {
        json.writeStringField(entry.getKey(), entry.getValue());
      }
      json.writeEndObject();
    });
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private void reals(String name, double[] values) throws IOException {
    reals(new Tensor.Reals(name, Tensor.Type.F64, List.of(values.length), values));
  }

  private void reals(Tensor.Reals tensor) throws IOException {
    begin(tensor.name(), "<f" + tensor.type().bytes(), tensor.shape());
    TensorValues.write(tensor, zip);
    zip.closeEntry();
  }

  private void text(String name, String text) throws IOException {
    texts(name, List.of(text), List.of());
  }

  private void texts(String name, List<String> texts) throws IOException {
    texts(name, texts, List.of(texts.size()));
  }

  /** Writes strings of equal length, 4 bytes per character, padded with zeros. */
  private void texts(String name, List<String> texts, List<Integer> shape) throws IOException {
    int longest = texts.stream().mapToInt(text -> text.codePointCount(0, text.length())).max().orElse(0);
    int width = Math.max(1, longest);
    begin(name, "<U" + width, shape);
    for (String text : texts) {
      zip.write(Arrays.copyOf(text.getBytes(UTF_32LE), Integer.BYTES * width));
    }
    zip.closeEntry();
  }

  private void begin(String name, String type, List<Integer> shape) throws IOException {
    ZipEntry entry = new ZipEntry(name + ".npy");
    entry.setTimeLocal(NO_TIME);
    zip.putNextEntry(entry);
    zip.write(NpyFormat.header(type, shape));
  }
}
