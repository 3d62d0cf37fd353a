package dev.plumb.study;

import dev.plumb.Backends;
import dev.plumb.backend.Backend;
import dev.plumb.model.Precision;

class CpuTableStudyTest extends TableStudyContract {
  @Override
  Backend open() {
    return Backends.open("cpu", Backends.Usage.STANDARD).backend();
  }

  @Override
  Precision precision() {
    return Precision.FP32;
  }
}
