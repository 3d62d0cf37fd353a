package dev.plumb.train;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.model.Activation;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.Precision;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReferenceTrainerResumeTest extends TrainerResumeContract {
  @Override
  Backend open() {
    return Backends.open("reference", Backends.Usage.STANDARD).backend();
  }

  @Override
  Precision precision() {
    return Precision.FP64;
  }

  @ParameterizedTest
  @EnumSource
  void normalizedTrainingWithResidualsResumesToTheSameBits(Normalization normalization, @TempDir Path folder) {
    assertResumesFromFiles(NetworkSpec.of(Activation.GELU, 5, 5, 7, 7, 3).withNormalization(normalization).withResidual(true), folder);
  }
}
