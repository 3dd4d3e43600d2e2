// A chat server on Centrifugo's library: Redis carries each message and keeps a history of it; nothing is
// stored in a database, and tokens are checked against a map in memory.
//
// `POST /people` takes tokens as JSON, {token: room}; `/connection/websocket` is the library's. Who connects
// is subscribed to its room by the answer, with recovery, as a client that resumes would want it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	historySize = 100
	historyTTL  = time.Hour
)

type people struct {
	mutex sync.RWMutex
	rooms map[string]string
}

func (p *people) roomOf(token string) (string, bool) {
	p.mutex.RLock()
	defer p.mutex.RUnlock()
	room, ok := p.rooms[token]
	return room, ok
}

func (p *people) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	added := map[string]string{}
	if err := json.NewDecoder(request.Body).Decode(&added); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for token, room := range added {
		p.rooms[token] = room
	}
}

func main() {
	address := flag.String("address", "127.0.0.1:8000", "host and port")
	flag.Parse()
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		log.Fatal(err)
	}
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: os.Getenv("PEER_REDIS_URL")})
	if err != nil {
		log.Fatal(err)
	}
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Shards: []*centrifuge.RedisShard{shard}})
	if err != nil {
		log.Fatal(err)
	}
	node.SetBroker(broker)
	known := &people{rooms: map[string]string{}}
	node.OnConnecting(func(_ context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		room, ok := known.roomOf(event.Token)
		if !ok {
			return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
		}
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: event.Token},
			Subscriptions: map[string]centrifuge.SubscribeOptions{room: {EnableRecovery: true}},
		}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnPublish(func(event centrifuge.PublishEvent, callback centrifuge.PublishCallback) {
			if !client.IsSubscribed(event.Channel) {
				callback(centrifuge.PublishReply{}, centrifuge.ErrorPermissionDenied)
				return
			}
			callback(centrifuge.PublishReply{Options: centrifuge.PublishOptions{
				HistorySize: historySize, HistoryTTL: historyTTL,
			}}, nil)
		})
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	http.Handle("/people", known)
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{}))
	log.Fatal(http.ListenAndServe(*address, nil))
}
