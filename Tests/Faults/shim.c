// Makes one system call fail: loaded before the C library (LD_PRELOAD), it counts the calls that change something under a
// folder, or write to a file opened there, and lets the one of a given number fail or end the process.
//
//   FAULT_FOLDER  a text that the paths of counted calls contain
//   FAULT_CALL    which call, from 1 on; 0 or nothing counts alone
//   FAULT_KIND    the errno that it fails with; "kill" ends the process before the call, "after" after it, "half" lets a
//                 write take half of its bytes and fails then
//   FAULT_COUNT   a file that the number of calls is written to when the process ends
//
// cc -shared -fPIC -O1 -o shim.so shim.c -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };
enum kind { FAIL, KILL, AFTER, HALF };

static const char *folder;
static long chosen;
static enum kind kind;
static int error;
static atomic_long calls;
static atomic_char watched[DESCRIPTORS];

__attribute__((constructor)) static void begin(void) {
  folder = getenv("FAULT_FOLDER");
  const char *call = getenv("FAULT_CALL"), *text = getenv("FAULT_KIND");
  chosen = call ? atol(call) : 0;
  kind = !text ? FAIL : !strcmp(text, "kill") ? KILL : !strcmp(text, "after") ? AFTER : !strcmp(text, "half") ? HALF : FAIL;
  error = text && atoi(text) > 0 ? atoi(text) : ENOSPC;
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("FAULT_COUNT");
  if (!path || !atomic_load(&calls)) return;
  char digits[32];
  int length = snprintf(digits, sizeof digits, "%ld\n", atomic_load(&calls)), file;
  file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && syscall(SYS_write, file, digits, length) >= 0) syscall(SYS_close, file);
}

static int isOurs(const char *path) { return folder && *folder && path && strstr(path, folder) != NULL; }
static int isWatched(int file) { return file >= 0 && file < DESCRIPTORS && atomic_load(&watched[file]); }
static void watch(int file, int ours) {
  if (file >= 0 && file < DESCRIPTORS) atomic_store(&watched[file], ours);
}
static void die(void) { kill(getpid(), SIGKILL); pause(); }

// Whether this call is the chosen one; a process that is to end before it ends here.
static int isChosen(void) {
  if (atomic_fetch_add(&calls, 1) + 1 != chosen) return 0;
  if (kind == KILL) die();
  return 1;
}

#define NEXT(name) static __typeof__(name) *next; if (!next) next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
// Counts the call when `ours`, and makes it: RESULT is what it gives.
#define CALL(ours, RESULT) \
  int hit = (ours) && isChosen(); \
  if (hit && kind != AFTER) { errno = error; return -1; } \
  __typeof__(RESULT) result = RESULT; \
  if (hit) die(); \
  return result

#define OPENS(flags) ((flags) & (O_CREAT | O_WRONLY | O_RDWR))
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); mode_t mode = OPENS(flags) ? va_arg(list, int) : 0; va_end(list); \
    NEXT(name); \
    int hit = isOurs(path) && OPENS(flags) && isChosen(); \
    if (hit && kind != AFTER) { errno = error; return -1; } \
    int file = next(path, flags, mode); \
    if (hit) die(); \
    watch(file, isOurs(path) && (OPENS(flags) || flags & O_DIRECTORY)); \
    return file; \
  }
OPEN(open)
OPEN(open64)

int close(int file) { NEXT(close); watch(file, 0); return next(file); }

ssize_t write(int file, const void *bytes, size_t count) {
  NEXT(write);
  int hit = isWatched(file) && isChosen();
  if (!hit) return next(file, bytes, count);
  if (kind == FAIL) { errno = error; return -1; }
  ssize_t written = next(file, bytes, count > 1 ? count / 2 : count);
  if (kind == AFTER) die();
  // What follows a short write fails.
  chosen++; kind = FAIL;
  return written;
}

int fsync(int file) { NEXT(fsync); CALL(isWatched(file), next(file)); }
int fdatasync(int file) { NEXT(fdatasync); CALL(isWatched(file), next(file)); }
int ftruncate(int file, off_t length) { NEXT(ftruncate); CALL(isWatched(file), next(file, length)); }
int rename(const char *from, const char *to) { NEXT(rename); CALL(isOurs(from) || isOurs(to), next(from, to)); }
int mkdir(const char *path, mode_t mode) { NEXT(mkdir); CALL(isOurs(path), next(path, mode)); }
int symlink(const char *target, const char *path) { NEXT(symlink); CALL(isOurs(path), next(target, path)); }
int link(const char *from, const char *to) { NEXT(link); CALL(isOurs(to), next(from, to)); }
int unlink(const char *path) { NEXT(unlink); CALL(isOurs(path), next(path)); }
int rmdir(const char *path) { NEXT(rmdir); CALL(isOurs(path), next(path)); }
int flock(int file, int operation) { NEXT(flock); CALL(isWatched(file), next(file, operation)); }
