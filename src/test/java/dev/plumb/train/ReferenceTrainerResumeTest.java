package dev.plumb.train;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.model.Precision;

class ReferenceTrainerResumeTest extends TrainerResumeContract {
  @Override
  Backend open() {
    return Backends.open("reference", Backends.Usage.STANDARD).backend();
  }

  @Override
  Precision precision() {
    return Precision.FP64;
  }
}
