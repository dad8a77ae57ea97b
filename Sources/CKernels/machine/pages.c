// Memory from the system, and back to it.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CKernelsLimits.h"
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

void *ck_pages(size_t bytes) {
#if defined(__linux__)
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  madvise(pages, bytes, MADV_HUGEPAGE);
#else
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (pages == MAP_FAILED) return NULL;
#endif
  return pages;
}

void ck_release_pages(void *pages, size_t bytes) { munmap(pages, bytes); }

int ck_file_of_pages(size_t bytes) {
#if defined(__linux__)
  int file = memfd_create("pages", MFD_CLOEXEC);
  if (file < 0) return -1;
  if (ftruncate(file, (off_t)bytes) == 0) return file;
  close(file);
#else
  (void)bytes;
#endif
  return -1;
}

void ck_return_freed_pages(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}
