// How many threads suit this machine: one per core this process may use, within its share of time.
#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#else
#include <sys/sysctl.h>
#endif
#include "CKernels.h"
#include <stdio.h>
#include <unistd.h>

#if defined(__linux__)
/// Whether `processor` is the first of the hardware threads of its core.
static bool first_of_core(int processor) {
  char path[96];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", processor);
  FILE *file = fopen(path, "r");
  int first = processor;
  if (file) {
    if (fscanf(file, "%d", &first) != 1) first = processor;
    fclose(file);
  }
  return first == processor;
}

/// The processors' worth of time a container is allowed (cgroup v2); 0 when there is no such limit.
static int allowed_share(void) {
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
  if (!file) return 0;
  long quota = 0, period = 0;
  int read = fscanf(file, "%ld %ld", &quota, &period);
  fclose(file);
  return read == 2 && quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}
#endif

int ck_processor_count(void) {
  int count = 0;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    int all = CPU_COUNT(&set);
    for (int i = 0; i < CPU_SETSIZE; i++) count += CPU_ISSET(i, &set) && first_of_core(i);
    if (count == 0) count = all;  // only second threads of cores were left to us
  }
  int share = allowed_share();
  if (share > 0 && share < count) count = share;
#else
  size_t size = sizeof count;
  if (sysctlbyname("hw.perflevel0.physicalcpu", &count, &size, NULL, 0) != 0 || count < 1) {
    size = sizeof count;
    if (sysctlbyname("hw.physicalcpu", &count, &size, NULL, 0) != 0) count = 0;
  }
#endif
  if (count < 1) count = (int)sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : count > CK_POOL_LIMIT ? CK_POOL_LIMIT : count;
}
