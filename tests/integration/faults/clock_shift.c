// Preloaded into a process, it puts its clock wrong by IZZIE_TEST_CLOCK_SHIFT seconds.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*original)(clockid_t, struct timespec *);
  if (!original) original = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int failed = original(clock, now);
  if (!failed && clock == CLOCK_REALTIME) now->tv_sec += atol(getenv("IZZIE_TEST_CLOCK_SHIFT"));
  return failed;
}
