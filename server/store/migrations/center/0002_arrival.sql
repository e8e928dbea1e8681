-- What is old is found by when it came, not by its number: clocks are set back.
CREATE INDEX history_by_arrival ON history (received_at);
