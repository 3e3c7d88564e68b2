// A stand-in for the API at the speed of C: one thread, epoll, loopback only. Usage: server LATENCY_MS FILE
//
//   GET  /v1/videos/job_START_END      a job that renders between two times, in milliseconds since the epoch
//   GET  /v1/videos/ID/content         FILE
//   GET  /v1/videos/ID                 a completed job
//   POST /v1/videos/ID/remix           an accepted job
//   GET  /stats                        requests so far, and the most that were in flight at once since last asked
//
// Answers come LATENCY_MS after their request. The port is printed. It ends when its standard input does.

#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1 << 16, REQUEST = 8192, ANSWER = 1024 };

struct connection {
    char request[REQUEST + 1];
    int used, waiting, closed;
    long due, length, sent;  // Of the answer: when, in milliseconds; of its file: how long, how far; -1 for none.
};

static struct connection *connections[CONNECTIONS];
static int queue[CONNECTIONS];  // Who waits for an answer, in order: all wait equally long.
static unsigned head, tail;
static int poller, file;
static long latency, size, requests, flying, most;

static long milliseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void watch(int operation, int fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(poller, operation, fd, &event);
}

static void hang_up(int fd) {
    struct connection *it = connections[fd];
    epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
    it->closed = 1;  // The number must not be taken again while it is in the queue.
    if (!it->waiting) {
        close(fd);
        free(it);
        connections[fd] = NULL;
    }
}

static void send_file(int fd) {
    struct connection *it = connections[fd];
    while (it->sent < it->length) {
        ssize_t count = sendfile(fd, file, &it->sent, it->length - it->sent);
        if (count <= 0) {
            watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
            return;
        }
    }
    it->length = -1;
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static int describe(char *body, const char *path) {
    char id[128] = "";
    long start, end, now = milliseconds(CLOCK_REALTIME);
    if (!strncmp(path, "/stats", 6)) {
        int length = snprintf(body, ANSWER, "{\"requests\": %ld, \"most\": %ld}", requests, most);
        most = 0;
        return length;
    }
    sscanf(path, "/v1/videos/%127[^/? ]", id);
    int is_submit = strstr(path, "/remix ") != NULL;
    int is_job = sscanf(id, "job_%ld_%ld", &start, &end) == 2;
    int is_done = !is_submit && (!is_job || now >= end);
    long progress = is_done ? 100 : !is_job || now < start ? 0 : (now - start) * 100 / (end - start);
    return snprintf(
        body, ANSWER,
        "{\"id\": \"%s\", \"object\": \"video\", \"model\": \"sora-2\", \"status\": \"%s\", \"progress\": %ld, "
        "\"created_at\": 1790000000, \"size\": \"1280x720\", \"seconds\": \"8\", \"remixed_from_video_id\": \"video_1\"}",
        id, is_done ? "completed" : is_submit ? "queued" : "in_progress", progress);
}

static void answer(int fd) {
    struct connection *it = connections[fd];
    char body[ANSWER], whole[2 * ANSWER];
    const char *path = strchr(it->request, ' ') + 1;
    int length, is_file = strstr(path, "/content ") || strstr(path, "/content?");
    it->length = is_file ? size : -1;
    it->sent = 0;
    if (is_file)
        length = sprintf(whole, "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %ld\r\n\r\n", size);
    else
        length = sprintf(whole, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                         describe(body, path), body);
    it->used = 0;
    it->waiting = 0;
    flying--;
    if (it->closed || send(fd, whole, length, MSG_NOSIGNAL) != length)
        hang_up(fd);
    else if (is_file)
        send_file(fd);
}

static void receive(int fd) {
    struct connection *it = connections[fd];
    ssize_t count = recv(fd, it->request + it->used, REQUEST - it->used, 0);
    if (count <= 0 || it->waiting) {
        hang_up(fd);
        return;
    }
    it->used += count;
    it->request[it->used] = 0;
    char *end = strstr(it->request, "\r\n\r\n"), *told = strcasestr(it->request, "\r\ncontent-length:");
    if (!end || it->used < end + 4 - it->request + (told && told < end ? atol(told + 17) : 0)) return;
    requests++;
    it->waiting = 1;
    if (++flying > most) most = flying;
    it->due = milliseconds(CLOCK_MONOTONIC) + latency;
    if (latency)
        queue[tail++ % CONNECTIONS] = fd;
    else
        answer(fd);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct stat status;
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    latency = atol(arguments[1]);
    file = open(arguments[2], O_RDONLY);
    if (fstat(file, &status) || bind(listener, (void *)&address, length) || listen(listener, 4096)) {
        perror("server");
        return 1;
    }
    size = status.st_size;
    getsockname(listener, (void *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    poller = epoll_create1(0);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        long left = head == tail ? -1 : connections[queue[head % CONNECTIONS]]->due - milliseconds(CLOCK_MONOTONIC);
        int ready = epoll_wait(poller, events, 256, head == tail ? -1 : left < 0 ? 0 : (int)left);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) return 0;
            if (fd == listener) {
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                    connections[fd] = calloc(1, sizeof *connections[fd]);
                    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
                }
            } else if (connections[fd] && !connections[fd]->closed) {
                if (events[i].events & (EPOLLHUP | EPOLLERR)) hang_up(fd);
                else if (events[i].events & EPOLLOUT) send_file(fd);
                else receive(fd);
            }
        }
        while (head != tail && connections[queue[head % CONNECTIONS]]->due <= milliseconds(CLOCK_MONOTONIC))
            answer(queue[head++ % CONNECTIONS]);
    }
}
