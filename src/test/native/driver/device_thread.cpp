// The device thread, and a handler for SIGSEGV and SIGBUS that forwards signals of other threads: the JVM uses these signals itself.
#include "device_thread.h"
#include "memory.h"
#include <condition_variable>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

namespace host_device {

struct Mailbox {
  std::mutex mutex;
  std::condition_variable came, finished;
  const std::function<CUresult()>* job = nullptr;
  CUresult result = OK;
  bool done = false;
};

static pthread_t device_thread;
static bool device_thread_runs = false;
static sigjmp_buf work_failed;
static volatile sig_atomic_t work_guarded = 0;
static void* volatile fault_address;
static struct sigaction other_handlers[2];
// No lazy allocation of thread-local storage in a signal handler.
static __thread sigjmp_buf* volatile peeking __attribute__((tls_model("initial-exec")));

static Mailbox& mailbox() {
  static Mailbox* only = new Mailbox;
  return *only;
}

bool on_device_thread() { return device_thread_runs && pthread_equal(pthread_self(), device_thread); }

static void on_fault(int signal_number, siginfo_t* info, void* context) {
  if (on_device_thread() && work_guarded) {
    work_guarded = 0;
    fault_address = info->si_addr;
    siglongjmp(work_failed, 1);
  }
  if (peeking) {
    siglongjmp(*peeking, 1);
  }
  struct sigaction& other = other_handlers[signal_number == SIGBUS];
  if (other.sa_flags & SA_SIGINFO) {
    other.sa_sigaction(signal_number, info, context);
  } else if (other.sa_handler == SIG_DFL || other.sa_handler == SIG_IGN) {
    signal(signal_number, SIG_DFL);
    raise(signal_number);
  } else {
    other.sa_handler(signal_number);
  }
}

static void* device_main(void*) {
  Mailbox& box = mailbox();
  std::unique_lock<std::mutex> held(box.mutex);
  for (;;) {
    box.came.wait(held, [&] { return box.job != nullptr; });
    auto* job = box.job;
    box.job = nullptr;
    held.unlock();
    CUresult result = (*job)();
    held.lock();
    box.result = result;
    box.done = true;
    box.finished.notify_one();
  }
}

void start_device_thread() {
  if (device_thread_runs) {
    return;
  }
  // The JVM's signals are blocked on this thread.
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
    sigdelset(&blocked, s);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  pthread_create(&device_thread, nullptr, device_main, nullptr);
  pthread_detach(device_thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &other_handlers[0]);
  sigaction(SIGBUS, &action, &other_handlers[1]);
  device_thread_runs = true;
}

CUresult on_device(const std::function<CUresult()>& job) {
  if (on_device_thread()) {
    return job();
  }
  start_device_thread();
  Mailbox& box = mailbox();
  std::unique_lock<std::mutex> held(box.mutex);
  box.job = &job;
  box.done = false;
  box.came.notify_one();
  box.finished.wait(held, [&] { return box.done; });
  return box.result;
}

CUresult execute(const Work& work) {
  CUresult result = OK;
  // The handler changes no signal mask (SA_NODEFER), so there is none to save, which would be a system call.
  if (sigsetjmp(work_failed, 0) == 0) {
    work_guarded = 1;
    result = work.run();
    work_guarded = 0;
  } else {
    explain_fault((uintptr_t)fault_address, work.what.c_str());
    result = ILLEGAL_ADDRESS;
  }
  if (!red_zones_hold(work.what.c_str()) && !result) {
    result = ILLEGAL_ADDRESS;
  }
  return result;
}

bool peek(void* to, const void* from, size_t bytes) {
  sigjmp_buf failed;
  if (sigsetjmp(failed, 0)) {
    peeking = nullptr;
    return false;
  }
  peeking = &failed;
  memcpy(to, from, bytes);
  peeking = nullptr;
  return true;
}

}  // namespace host_device
