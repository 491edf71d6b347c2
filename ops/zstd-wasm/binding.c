/*
 * What src/lib/zstd needs of Zstandard, as WebAssembly exports: frames with and without a dictionary, and the trainer.
 * One translation unit with the amalgamated library, so that what is not reached is left out. Sizes and pointers are 32-bit.
 * A result of JZ_FAILED means an error of the library.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The trainer reports its progress to a terminal and reads the clock for it: there is neither, so the module needs no imports. */
#undef stderr
#define stderr NULL
#define fprintf(...) ((void)0)
#define fflush(stream) ((void)0)
#define clock() ((clock_t)0)

#define ZSTD_STATIC_LINKING_ONLY
#define ZDICT_STATIC_LINKING_ONLY
#define ZSTD_STRIP_ERROR_STRINGS 1
#define ZSTD_TRACE 0
/* The amalgamation turns threads on everywhere but there. */
#define __EMSCRIPTEN__ 1
#include "zstd.c"
#include "zdict.h"

#define JZ_FAILED 0xffffffffu
#define JZ_EXPORT(name) __attribute__((export_name(name)))

JZ_EXPORT("allocate") void* jz_allocate(uint32_t bytes) { return malloc(bytes); }
JZ_EXPORT("release") void jz_release(void* pointer) { free(pointer); }

JZ_EXPORT("version") uint32_t jz_version(void) { return ZSTD_versionNumber(); }
JZ_EXPORT("bound") uint32_t jz_bound(uint32_t bytes) { return (uint32_t)ZSTD_compressBound(bytes); }

JZ_EXPORT("new_compressor") ZSTD_CCtx* jz_new_compressor(void) { return ZSTD_createCCtx(); }
JZ_EXPORT("new_decompressor") ZSTD_DCtx* jz_new_decompressor(void) { return ZSTD_createDCtx(); }

/* Tables of a dictionary for inputs of about `size_hint` bytes; `dictionary` has to stay where it is. */
JZ_EXPORT("prepare_compression")
ZSTD_CDict* jz_prepare_compression(const void* dictionary, uint32_t bytes, int32_t level, uint32_t size_hint) {
  ZSTD_compressionParameters const parameters = ZSTD_getCParams(level, size_hint, bytes);
  return ZSTD_createCDict_advanced(dictionary, bytes, ZSTD_dlm_byRef, ZSTD_dct_fullDict, parameters, ZSTD_defaultCMem);
}
JZ_EXPORT("release_compression") void jz_release_compression(ZSTD_CDict* prepared) { ZSTD_freeCDict(prepared); }
JZ_EXPORT("prepare_decompression")
ZSTD_DDict* jz_prepare_decompression(const void* dictionary, uint32_t bytes) {
  return ZSTD_createDDict_advanced(dictionary, bytes, ZSTD_dlm_byRef, ZSTD_dct_fullDict, ZSTD_defaultCMem);
}
JZ_EXPORT("release_decompression") void jz_release_decompression(ZSTD_DDict* prepared) { ZSTD_freeDDict(prepared); }

/* Id inside a trained dictionary, 0 where it is none. */
JZ_EXPORT("dictionary_id")
uint32_t jz_dictionary_id(const void* dictionary, uint32_t bytes) { return ZSTD_getDictID_fromDict(dictionary, bytes); }

/* One frame with its content size, without a checksum; `prepared` may be null. */
JZ_EXPORT("compress")
uint32_t jz_compress(ZSTD_CCtx* context, void* target, uint32_t capacity, const void* source, uint32_t bytes,
                     const ZSTD_CDict* prepared, int32_t level) {
  ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_refCDict(context, prepared);
  size_t const written = ZSTD_compress2(context, target, capacity, source, bytes);
  return ZSTD_isError(written) ? JZ_FAILED : (uint32_t)written;
}

/* Content size that a frame gives, JZ_FAILED where it gives none or more than 32 bits. */
JZ_EXPORT("content_size")
uint32_t jz_content_size(const void* frame, uint32_t bytes) {
  unsigned long long const size = ZSTD_getFrameContentSize(frame, bytes);
  return size >= JZ_FAILED ? JZ_FAILED : (uint32_t)size;
}

/* Exactly one frame to at most `capacity` bytes; `prepared` may be null. */
JZ_EXPORT("decompress")
uint32_t jz_decompress(ZSTD_DCtx* context, void* target, uint32_t capacity, const void* frame, uint32_t bytes,
                       const ZSTD_DDict* prepared) {
  if (ZSTD_findFrameCompressedSize(frame, bytes) != bytes) return JZ_FAILED;
  ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters);
  size_t const written = ZSTD_decompress_usingDDict(context, target, capacity, frame, bytes, prepared);
  return ZSTD_isError(written) ? JZ_FAILED : (uint32_t)written;
}

/* A dictionary of at most `capacity` bytes from samples that lie one after the other, each in one of `sizes`. */
JZ_EXPORT("train")
uint32_t jz_train(void* target, uint32_t capacity, const void* samples, const uint32_t* sizes, uint32_t count,
                  int32_t level) {
  ZDICT_fastCover_params_t parameters;
  memset(&parameters, 0, sizeof parameters);
  parameters.d = 8;
  parameters.steps = 16;
  parameters.zParams.compressionLevel = level;
  size_t const written =
      ZDICT_optimizeTrainFromBuffer_fastCover(target, capacity, samples, (const size_t*)sizes, count, &parameters);
  return ZDICT_isError(written) ? JZ_FAILED : (uint32_t)written;
}
