package dev.plumb.store;

import dev.plumb.data.TableEncoding;
import dev.plumb.fuzz.Fuzzing;
import dev.plumb.fuzz.SealedFiles;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.Precision;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged models, read and exported. */
class ModelFileFuzzTest {
  private static final int INPUTS = 2000;

  @TempDir Path folder;

  @Test
  void modelsAreReadOrRefused() throws IOException {
    List<byte[]> valid = new ArrayList<>();
    for (TrainedModel model : List.of(Models.small(Precision.FP64), Models.small(Precision.FP32),
        Models.model(Activation.RELU, Loss.MSE, Precision.FP32, new TableEncoding(Models.mixedColumns(), Models.numbers(2)), 4, 3),
        Models.model(Activation.SILU, Loss.BINARY_CROSS_ENTROPY, Precision.FP64,
            new TableEncoding(Models.mixedColumns(), Models.classes(3)), 5),
        Models.model(Activation.RELU, Normalization.BATCH, false, Loss.MSE, Precision.FP64,
            new TableEncoding(Models.mixedColumns(), Models.numbers(1)), 4, 3),
        Models.model(Activation.RELU, Normalization.LAYER, true, Loss.MSE, Precision.FP32,
            new TableEncoding(Models.numericColumns(4), Models.numbers(1)), 4, 4))) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ModelFile.write(out, model);
      valid.add(out.toByteArray());
    }
    Path file = folder.resolve("model.safetensors");
    Fuzzing.run("ModelFile", INPUTS, random -> SealedFiles.changed(valid, random), (input, random) -> {
      Files.write(file, input);
      TrainedModel model = ModelFile.read(file);
      OnnxExport.write(OutputStream.nullOutputStream(), model);
      NpzFile.write(OutputStream.nullOutputStream(), model);
      ByteArrayOutputStream written = new ByteArrayOutputStream();
      ModelFile.write(written, model);
      Files.write(file, written.toByteArray());
      ModelFile.read(file);
    });
  }
}
