/* Preloaded into Kannel, which has its four WAP ports compiled in and no option for the interface of its inner port:
 * what would be bound to every address is bound to 127.0.0.1, and ports 9200 to 9203 move to WAP_BASE onwards. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int bind(int fd, const struct sockaddr *where, socklen_t length)
{
    static int (*next)(int, const struct sockaddr *, socklen_t);
    struct sockaddr_in moved;
    const char *base = getenv("WAP_BASE");
    unsigned port;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "bind");
    if (where == NULL || where->sa_family != AF_INET || length < sizeof moved)
        return next(fd, where, length);
    memcpy(&moved, where, sizeof moved);
    if (moved.sin_addr.s_addr == htonl(INADDR_ANY))
        moved.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    port = ntohs(moved.sin_port);
    if (base != NULL && port >= 9200 && port <= 9203)
        moved.sin_port = htons(port - 9200 + atoi(base));
    return next(fd, (struct sockaddr *)&moved, sizeof moved);
}
