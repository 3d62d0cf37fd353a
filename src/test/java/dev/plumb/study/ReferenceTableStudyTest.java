package dev.plumb.study;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.model.Precision;

class ReferenceTableStudyTest extends TableStudyContract {
  @Override
  Backend open() {
    return Backends.open("reference", Backends.Usage.STANDARD).backend();
  }

  @Override
  Precision precision() {
    return Precision.FP64;
  }
}
