/*
 * One request to the Nitro Security Module: CBOR in on standard input, the module's answer out on standard output, both
 * as they are. Node cannot make the ioctl that the module wants (include/uapi/linux/nsm.h of Linux 6.8: NSM_IOCTL_RAW),
 * and AWS ships a library, but no program. What is asked and what is answered is read in TypeScript; nothing is here.
 *
 *   cc -static -O2 -Wall -Wextra -Werror -o nsm-pipe infra/enclave/nsm-pipe.c
 *
 * Ends with 0 and an answer; 2: no request, or one that is too long; 3: no module; 4: the module refused.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { REQUEST_BYTES = 0x1000, ANSWER_BYTES = 0x3000 };

struct nsm_iovec {
  uint64_t address;
  uint64_t length;
};
struct nsm_raw {
  struct nsm_iovec request;
  struct nsm_iovec answer;
};
#define NSM_IOCTL_RAW _IOWR(0x0A, 0x0, struct nsm_raw)

int main(void) {
  static uint8_t request[REQUEST_BYTES + 1];
  static uint8_t answer[ANSWER_BYTES];
  size_t length = 0;
  for (ssize_t got; (got = read(STDIN_FILENO, request + length, sizeof request - length)) != 0;) {
    if (got < 0) return 2;
    length += (size_t)got;
    if (length == sizeof request) return 2;
  }
  if (length == 0) return 2;

  int device = open("/dev/nsm", O_RDWR | O_CLOEXEC);
  if (device < 0) return 3;
  struct nsm_raw message = {
      .request = {(uint64_t)(uintptr_t)request, length},
      .answer = {(uint64_t)(uintptr_t)answer, sizeof answer},
  };
  if (ioctl(device, NSM_IOCTL_RAW, &message) != 0 || message.answer.length > sizeof answer) return 4;

  for (size_t sent = 0; sent < message.answer.length;) {
    ssize_t put = write(STDOUT_FILENO, answer + sent, message.answer.length - sent);
    if (put <= 0) return 4;
    sent += (size_t)put;
  }
  return 0;
}
